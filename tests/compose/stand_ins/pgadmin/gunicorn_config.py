"""What gunicorn is told beside its arguments."""

import gunicorn

gunicorn.SERVER_SOFTWARE = "Python"
