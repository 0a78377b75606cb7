//! One folder per protocol: gRPC and REST on one port.
