"""pgAdmin's application; importing it makes its own database where there is none."""

import builtins

# Not decided here: the configuration says whether there is a login.
builtins.SERVER_MODE = None

from pgAdmin4 import app  # noqa: E402, F401
