//! The client against a simulated repository: honest, broken, and hostile.

mod any_answer;
mod any_order;
mod basic;
mod bins;
mod chain;
mod delegation_attacks;
mod delegations;
mod driving;
mod expired_by_wish;
mod expiry;
mod histories;
mod interleavings;
mod keys;
mod messages;
mod offline;
mod role_names;
mod role_rotation;
mod rollback;
mod root_rotation;
mod roots;
mod simulator;
mod sizes;
mod store;
mod strictness;
mod targets;
