"""What all tests share."""

import os

os.environ.setdefault("ENGINE_HOME", os.devnull)  # no test sees the models a person has installed
