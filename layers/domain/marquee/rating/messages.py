"""The messages of ProcessBatchQueue, between functions.

Unknown members are refused, so that sender and receiver cannot drift apart unnoticed.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ProcessBatch(BaseModel):
    """Items wait to be counted: new events arrived, items were marked, or a batch was full and there may be more."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    reason: Literal["events", "items", "more"]
