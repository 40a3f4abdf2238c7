/* Linked into the static program where its libc is glibc. There, a service that /etc/nsswitch.conf names would be
 * loaded from the machine, whose modules are made for the machine's own libc: another one ends the program (seen:
 * SIGFPE with libnss-myhostname of Debian 13 and the glibc of Debian 12). So only those are used that are part of libc.
 */
#include <nss.h>

__attribute__((constructor)) static void services_within_libc(void)
{
    __nss_configure_lookup("hosts", "files dns");
    __nss_configure_lookup("services", "files");
    __nss_configure_lookup("passwd", "files");
    __nss_configure_lookup("group", "files");
}
