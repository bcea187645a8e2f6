"""Marquee: the back end of an events business."""
