"""The CIM side of a simulated workstation: classes, instances, registry, methods."""
