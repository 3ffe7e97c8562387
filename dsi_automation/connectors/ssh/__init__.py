"""Programs run on a machine: over SSH with fabric, or on the controller itself; one port for both."""
