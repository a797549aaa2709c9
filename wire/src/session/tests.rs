mod attempts;
mod greeting;
mod hostile;
mod liveness;
mod pair;
mod probes;
mod random;
