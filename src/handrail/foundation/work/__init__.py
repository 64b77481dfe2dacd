"""Durable jobs (`jobs.Jobs`) and heavy steps in processes of their own (`compute.Compute`).

Nothing is imported here: a child process must not pay for the job engine it does not use.
"""
