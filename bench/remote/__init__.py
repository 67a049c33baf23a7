"""The same job beside a model server over the network stack of this machine: what embedding the model saves."""
