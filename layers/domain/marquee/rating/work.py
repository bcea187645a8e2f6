"""What functions ask of one another about ratings: the messages of ProcessBatchQueue.

Unknown members are refused, so that sender and receiver cannot drift apart unseen.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ProcessBatch(BaseModel):
    """Items wait to be counted: new events came, items were marked, or a batch was full and there may be more."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    reason: Literal["events", "items", "more"]
