"""Dockerfile and compose.yaml as plain processes; see ../as-processes."""
