"""A Microsoft 365 tenant for the lab: Microsoft Graph v1.0 and its token endpoint, with state, delays and faults."""
