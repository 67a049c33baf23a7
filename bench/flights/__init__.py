"""The flights' job, as it is and with parts taken away."""
