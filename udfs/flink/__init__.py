"""The only part of udfs that imports PyFlink: thin adapters around the rest."""
