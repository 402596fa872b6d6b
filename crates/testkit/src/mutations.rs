//! Damaged copies of something right, for parsers of foreign bytes. They are the same in every run, so that what failed
//! fails again.

use std::ops::Deref;

/// Damaged copies, one after the other.
///
/// The variable `MUTATIONS` sets how many, for a long run.
pub struct Mutations {
    original: Vec<u8>,
    words: Vec<Vec<u8>>,
    round: u64,
    rounds: u64,
}

/// One damaged copy. It prints itself when a test fails while it has it.
pub struct Mutation {
    /// Which one it is, from 0. Each depends on the original and its number alone.
    pub round: u64,
    bytes: Vec<u8>,
}

impl Mutations {
    /// So many damaged copies of `original`, unless `MUTATIONS` says otherwise.
    pub fn of(original: impl Into<Vec<u8>>, rounds: u64) -> Self {
        let wanted = std::env::var("MUTATIONS").ok().map(|text| text.parse().expect("MUTATIONS is a number"));
        let original = original.into();
        assert!(!original.is_empty(), "nothing cannot be damaged");
        Self { original, words: Vec::new(), round: 0, rounds: wanted.unwrap_or(rounds) }
    }

    /// Puts these in as well: what has a meaning in this format, and random bytes would hardly ever spell.
    pub fn words<Word: AsRef<[u8]>>(mut self, words: impl IntoIterator<Item = Word>) -> Self {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_vec()));
        self
    }

    /// How many copies there are altogether.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }
}

impl Iterator for Mutations {
    type Item = Mutation;

    fn next(&mut self) -> Option<Mutation> {
        let round = self.round;
        if round == self.rounds {
            return None;
        }
        self.round += 1;
        let mut random = Random::new(round);
        let mut bytes = self.original.clone();
        for _ in 0..1 + random.below(3) {
            damage(&mut bytes, &self.words, &mut random);
        }
        Some(Mutation { round, bytes })
    }
}

impl Deref for Mutation {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Mutation {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("with damaged copy {} (the same in every run):\n{}", self.round, self.bytes.escape_ascii());
        }
    }
}

/// Changes one thing; at least one byte stays.
fn damage(bytes: &mut Vec<u8>, words: &[Vec<u8>], random: &mut Random) {
    let position = random.below(bytes.len());
    let end = (position + random.below(64)).min(bytes.len());
    // With words, half of the damage is one of them.
    match random.below(if words.is_empty() { 7 } else { 14 }) {
        0 | 1 => bytes[position] ^= 1 << random.below(8),
        2 => bytes[position] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
        3 => bytes.truncate(position.max(1)),
        4 => drop(bytes.splice(position..position, [0; 3])),
        5 => {
            let piece = bytes[position..end].to_vec();
            let target = random.below(bytes.len());
            bytes.splice(target..target, piece);
        }
        6 => drop(bytes.drain(position.max(1)..end.max(position.max(1)))),
        number => {
            let word = words[random.below(words.len())].iter().copied();
            let end = if number < 11 { position } else { (position + random.below(8)).min(bytes.len()) };
            bytes.splice(position..end, word);
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
    }
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give neighbouring numbers, and none may be zero.
        let mut random = Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.below(1);
        random
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}
