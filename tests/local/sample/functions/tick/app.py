"""Record the input of the schedule, and fail on request."""

import json
import os
from pathlib import Path


def lambda_handler(event, context):
    with (Path(os.environ["NOTES"]) / "ticked.jsonl").open("a") as notes:
        notes.write(json.dumps(event) + "\n")
    if event["job"] == "mail":
        import boto3

        content = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "A place is free."}}}}
        boto3.client("sesv2").send_email(
            FromEmailAddress="desk@sample.example", Destination={"ToAddresses": ["ana@example.org"]}, Content=content
        )
    if event["job"] == "fail":
        raise RuntimeError("as the schedule said")
    return {"ticked": event["job"]}
