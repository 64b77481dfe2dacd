"""Certificates: validity, automation and labels, measured on populations whose truth is known."""
