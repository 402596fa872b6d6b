//! Which delegated roles match a target path, without asking each of 16,384.
