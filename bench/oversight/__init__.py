"""Audits and brake: false alarms, delay from a change to the brake, and audits to certify, where the truth is known."""

import bench.certificates  # noqa: F401  its data lie beside the environment, and it knows the way
