"""pgAdmin's application; importing it makes its own database where there is none."""

import builtins

# As the official image has it; the configuration may say otherwise.
builtins.SERVER_MODE = True

from pgAdmin4 import app  # noqa: E402, F401
