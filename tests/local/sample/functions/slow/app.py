"""Takes longer than it may."""

import subprocess
import time


def lambda_handler(event, context):
    subprocess.Popen(["sleep", "300"])
    time.sleep(30)
