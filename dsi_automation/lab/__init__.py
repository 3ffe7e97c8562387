"""The training lab: real servers on one machine, and simulators for what cannot be had."""
