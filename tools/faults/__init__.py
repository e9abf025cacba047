"""Drives clusters of real Martlet processes through real faults, and checks what they told their clients."""
