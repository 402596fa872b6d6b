//! `repo publish` and `repo refresh`: what they write, in which order, and what becomes of it when they are killed, when
//! others publish at the same time, or when somebody without keys has changed what is published.

mod attacked;
mod collected;
mod concurrent;
mod interrupted;
mod place;
mod written;
