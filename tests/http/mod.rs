//! Servers as they are: errors, redirects, proxies, passwords, and connections that break.

mod credentials;
mod downloads;
mod limits;
mod metadata;
mod pages;
mod proxies;
mod redirects;
mod scene;
