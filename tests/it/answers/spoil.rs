//! How a message is spoilt. Ways that need a message with rows wait for the next one.

use crate::kit::random::Random;

/// One way to spoil one message, from a seed.
#[derive(Debug, Clone)]
pub struct Spoil {
    seed: u64,
    from: u64,
    way: u64,
    spoilt: bool,
}

/// Types that a column is said to have: boolean, bigint, integer, text, oid, double, date, timestamp, numeric, text[],
/// uuid, and one that there is not.
const TYPES: [u32; 12] = [16, 20, 23, 25, 26, 701, 1082, 1114, 1700, 1009, 2950, 4_000_000_000];

impl Spoil {
    /// With `all`, also what a client can only wait for.
    pub fn of(seed: u64, messages: u64, all: bool) -> Self {
        let mut random = Random::new(seed);
        let from = random.below(messages);
        let way = random.below(if all { 14 } else { 11 });
        Self { seed, from, way, spoilt: false }
    }

    pub fn message(&mut self, number: u64, kind: u8, body: Vec<u8>) -> Vec<u8> {
        let wants = match self.way {
            0..=4 => kind == b'D',
            5 | 6 => kind == b'T',
            _ => true,
        };
        if self.spoilt || number < self.from || !wants {
            return framed(kind, &body);
        }
        self.spoilt = true;
        self.spoil(kind, body)
    }

    fn spoil(&self, kind: u8, mut body: Vec<u8>) -> Vec<u8> {
        let mut random = Random::new(self.seed ^ 0x5eed);
        match self.way {
            0 => framed(kind, &row(&vec![None; fields(&body).len()])),
            1..=3 => {
                let mut values = fields(&body);
                if values.is_empty() {
                    return framed(kind, &body);
                }
                let at = random.below(values.len() as u64) as usize;
                let length = values[at].as_ref().map_or(0, Vec::len);
                values[at] = match self.way {
                    1 => None,
                    2 => Some(vec![[0x7f, 0xff, 0x80, 0][random.below(4) as usize]; length]),
                    _ => Some((0..random.below(40)).map(|_| random.below(256) as u8).collect()),
                };
                framed(kind, &row(&values))
            }
            4 => {
                let mut values = fields(&body);
                if random.below(2) == 0 {
                    values.push(Some(vec![1]))
                } else {
                    drop(values.pop())
                }
                framed(kind, &row(&values))
            }
            5 | 6 => framed(kind, &described(&body, self.way == 5, &mut random)),
            7 => [framed(kind, &body), framed(kind, &body)].concat(),
            8 if !body.is_empty() => {
                let at = random.below(body.len() as u64) as usize;
                body[at] ^= 1 << random.below(8);
                framed(kind, &body)
            }
            9 => framed(random.below(128) as u8, &body),
            10 => {
                body.truncate(random.below(body.len() as u64 + 1) as usize);
                framed(kind, &body)
            }
            11 => [&[kind][..], &(random.below(u64::from(u32::MAX)) as u32).to_be_bytes(), &body].concat(),
            12 => Vec::new(),
            13 => [framed(b'N', b"SNOTICE\0C00000\0Mloud\0\0").repeat(20_000), framed(kind, &body)].concat(),
            _ => framed(kind, &body),
        }
    }
}

pub fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// The values of a row.
fn fields(body: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut values = Vec::new();
    let mut rest = &body[2..];
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*length);
        let (value, behind) = behind.split_at(length.max(0) as usize);
        values.push((length >= 0).then(|| value.to_vec()));
        rest = behind;
    }
    values
}

fn row(values: &[Option<Vec<u8>>]) -> Vec<u8> {
    let mut body = (values.len() as u16).to_be_bytes().to_vec();
    for value in values {
        body.extend(value.as_ref().map_or(-1, |value| value.len() as i32).to_be_bytes());
        body.extend(value.iter().flatten());
    }
    body
}

/// A description of columns with other types, or other names.
fn described(body: &[u8], types: bool, random: &mut Random) -> Vec<u8> {
    let mut told = body[..2].to_vec();
    let mut rest = &body[2..];
    while let Some(end) = rest.iter().position(|&byte| byte == 0) {
        let (name, behind) = rest.split_at(end + 1);
        let (mut column, behind) = (behind[..18].to_vec(), &behind[18..]);
        match types {
            true => column[6..10].copy_from_slice(&TYPES[random.below(12) as usize].to_be_bytes()),
            false => told.push(b'x'),
        }
        told.extend(name);
        told.extend(column);
        rest = behind;
    }
    told
}
