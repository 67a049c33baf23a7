"""The functions that PyFlink calls in a worker; no other part of udfs imports PyFlink."""
