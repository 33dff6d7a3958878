//! What floods are made of: datagrams that look like a handshake's, each a little different.

/// An ICE check (RFC 8445 §7.1) whose integrity is made up.
pub(super) fn check(user: &str, number: u64) -> Vec<u8> {
    let mut attributes = Vec::new();
    let mut add = |kind: u16, value: &[u8]| {
        attributes.extend(kind.to_be_bytes());
        attributes.extend((value.len() as u16).to_be_bytes());
        attributes.extend_from_slice(value);
        attributes.resize(attributes.len().next_multiple_of(4), 0);
    };
    add(0x0006, user.as_bytes());
    add(0x0024, &[0x6e, 0xff, 0xff, 0xff]);
    add(0x802a, &number.to_be_bytes());
    add(0x0025, &[]);
    add(0x0008, &[number as u8; 20]);
    let mut message = vec![0, 1];
    message.extend((attributes.len() as u16).to_be_bytes());
    message.extend([0x21, 0x12, 0xa4, 0x42]);
    message.extend(number.to_be_bytes());
    message.extend([1, 2, 3, 4]);
    message.extend(attributes);
    message
}

/// One of `count` DTLS 1.2 hellos (RFC 6347 §4.2): a third are whole, a third are fragments, the last have a cookie.
pub(super) fn hello(number: u64, count: u64) -> Vec<u8> {
    let third = 3 * number / count.max(1);
    let mut random = [7; 32];
    random[..8].copy_from_slice(&number.to_be_bytes());
    let mut body = vec![0xfe, 0xfd];
    body.extend(random);
    body.push(0);
    let cookie = if third == 2 { &random[..20] } else { &[] };
    body.push(cookie.len() as u8);
    body.extend(cookie);
    body.extend([0, 2, 0xc0, 0x2b, 1, 0]);
    let extensions: [(u16, &[u8]); 4] =
        [(10, &[0, 2, 0, 29]), (13, &[0, 2, 4, 3]), (14, &[0, 4, 0, 7, 0, 1, 0]), (23, &[])];
    let listed: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, value)| {
            [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
        })
        .collect();
    body.extend((listed.len() as u16).to_be_bytes());
    body.extend(listed);
    let half = body.len() / 2;
    let (offset, piece) = match (third, number % 2) {
        (1, 0) => (0, &body[..half]),
        (1, _) => (half, &body[half..]),
        _ => (0, &body[..]),
    };
    // A hello with a cookie is the client's second message; fragments are of messages that differ.
    let sequence = match third {
        0 => 0,
        1 => (number / 2 % 4) as u16,
        _ => 1,
    };
    let mut fragment = vec![1];
    fragment.extend(&(body.len() as u32).to_be_bytes()[1..]);
    fragment.extend(sequence.to_be_bytes());
    fragment.extend(&(offset as u32).to_be_bytes()[1..]);
    fragment.extend(&(piece.len() as u32).to_be_bytes()[1..]);
    fragment.extend(piece);
    let mut record = vec![22, 0xfe, 0xfd];
    record.extend(number.to_be_bytes());
    // The sequence number has six bytes, behind two of the epoch, which is zero.
    record[3..5].fill(0);
    record.extend((fragment.len() as u16).to_be_bytes());
    record.extend(fragment);
    record
}

pub(super) fn framed(datagram: &[u8]) -> Vec<u8> {
    [&(datagram.len() as u16).to_be_bytes()[..], datagram].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagedoor_media::demux;

    #[test]
    fn checks_have_a_user_and_differ() {
        assert_eq!(demux::stun_ufrag(&check("ours:theirs", 7)), Some("ours"));
        assert_ne!(demux::check_transaction(&check("a:b", 1)), demux::check_transaction(&check("a:b", 2)));
    }

    #[test]
    fn hellos_are_records_of_their_length() {
        for number in 0..30 {
            let record = hello(number, 30);
            let length = usize::from(u16::from_be_bytes([record[11], record[12]]));
            assert_eq!((record[0], record.len()), (22, 13 + length), "{number}");
        }
    }
}
