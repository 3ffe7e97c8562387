"""Documents on paper: letters and slips as PDF, in French unless English is asked for."""
