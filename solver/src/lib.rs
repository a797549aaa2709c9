//! Placement problem to plan: ILP through good_lp and an exhaustive oracle.
