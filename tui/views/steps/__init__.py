"""The view of the steps from branches to one kernel."""
