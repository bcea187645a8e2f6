"""Run longer than the time-out."""

import subprocess
import time


def lambda_handler(event, context):
    subprocess.Popen(["sleep", "300"])
    time.sleep(30)
