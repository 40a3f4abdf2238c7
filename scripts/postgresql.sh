# Sees to what the README's two commands need beside Rust: PostgreSQL's server programs and a C compiler.
#
# To be read with `.` by a script in the project's folder. Installs what is missing where it may, as root or by sudo
# without a password, and says on stderr what it does; elsewhere it says in one line how to install it, and ends the
# script with 1. What is there is left alone.

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# Where src/local/binaries.rs looks too; which version serves is decided there.
has_postgresql() {
    command -v postgres >/dev/null && return
    if command -v pg_config >/dev/null && [ -x "$(pg_config --bindir 2>/dev/null)/postgres" ]; then
        return
    fi
    for program in \
        /usr/lib/postgresql/*/bin/postgres \
        /usr/lib/postgresql*/bin/postgres \
        /usr/pgsql-*/bin/postgres \
        /usr/libexec/postgresql*/postgres \
        /usr/local/pgsql/bin/postgres \
        /opt/homebrew/opt/postgresql*/bin/postgres \
        /usr/local/opt/postgresql*/bin/postgres \
        /home/linuxbrew/.linuxbrew/opt/postgresql*/bin/postgres \
        /Applications/Postgres.app/Contents/Versions/*/bin/postgres; do
        [ -x "$program" ] && return
    done
    return 1
}

# What to put before a package manager so that it may install; fails where nothing helps.
may_install() {
    if [ "$(id -u)" = 0 ]; then
        AS_ROOT=
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        AS_ROOT='sudo -n'
    else
        return 1
    fi
}

# install WHAT APT DNF APK BREW: what it is, and the packages that bring it, by package manager.
install() {
    what=$1
    if command -v apt-get >/dev/null; then
        command="apt-get install $2"
    elif command -v dnf >/dev/null; then
        command="dnf install $3"
    elif command -v apk >/dev/null; then
        command="apk add $4"
    elif command -v brew >/dev/null; then
        command="brew install $5"
    else
        say "$what is missing, and this script knows no package manager of this machine: please install it"
        exit 1
    fi
    # Homebrew installs for the user that runs it, and refuses root.
    case $command in
    brew*) AS_ROOT= ;;
    *)
        may_install || {
            say "$what is missing: please run \`sudo $command\`"
            exit 1
        }
        ;;
    esac

    say "$what is missing: running ${AS_ROOT:+$AS_ROOT }$command"
    # Lists of packages are words, and nothing is asked: this may run where nobody can answer.
    # shellcheck disable=SC2086
    case $command in
    apt-get*)
        $AS_ROOT apt-get update -qq &&
            $AS_ROOT env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2
        ;;
    dnf*) $AS_ROOT dnf install -y -q $3 ;;
    apk*) $AS_ROOT apk add --quiet $4 ;;
    brew*) brew install --quiet $5 ;;
    esac </dev/null >&2 || {
        say "the installation failed, see above"
        exit 1
    }
}

see_to_postgresql() {
    has_postgresql || install "PostgreSQL" postgresql postgresql-server postgresql 'postgresql@17'
}

see_to_c_compiler() {
    command -v cc >/dev/null || install "a C compiler" 'gcc libc6-dev' gcc 'gcc musl-dev' gcc
}

# Where cargo is; fails where there is none.
find_cargo() {
    command -v cargo || command -v "${HOME:-}/.cargo/bin/cargo"
}
