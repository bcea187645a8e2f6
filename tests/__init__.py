"""Test Marquee's promises, one per test."""
