"""The Models screen: what is installed, what can be had, what lies in other applications, and what each needs."""
