//! Whether enough keys signed (TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3).
