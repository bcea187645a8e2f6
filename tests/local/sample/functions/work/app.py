"""Process a batch: record each message, and report those whose body starts with "bad" as failed."""

import json
import os
from pathlib import Path


def lambda_handler(event, context):
    if "send" in event:
        import boto3

        sqs = boto3.client("sqs")
        for body in event["send"]:
            sqs.send_message(
                QueueUrl=os.environ["WORK_QUEUE_URL"],
                MessageBody=body,
                MessageAttributes={"kind": {"DataType": "String", "StringValue": "trial"}},
            )
        return "sent"
    if "dead" in event:
        import boto3

        found = boto3.client("sqs").receive_message(QueueUrl=os.environ["DEAD_LETTERS_URL"], MaxNumberOfMessages=10)
        return [message["Body"] for message in found.get("Messages", [])]
    with (Path(os.environ["NOTES"]) / "worked.jsonl").open("a") as notes:
        notes.write(json.dumps(event["Records"]) + "\n")
    failed = [record["messageId"] for record in event["Records"] if record["body"].startswith("bad")]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
