//! The server's engine of Outboard: sessions, who may attach, admission, drain.
