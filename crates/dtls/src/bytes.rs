//! Reading and writing TLS's presentation language (RFC 5246 §4): big-endian numbers, vectors with their length first.

/// The bytes were fewer, or more, than their lengths promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Short;

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Short> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        self.take(N)?.try_into().map_err(|_| Short)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Short> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Short> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u24(&mut self) -> Result<usize, Short> {
        let [high, middle, low] = self.array()?;
        Ok(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
    }

    /// A vector whose length takes one byte, two, or three.
    pub(crate) fn vector8(&mut self) -> Result<Reader<'a>, Short> {
        let len = self.u8()?;
        self.take(len.into()).map(Reader)
    }

    pub(crate) fn vector16(&mut self) -> Result<Reader<'a>, Short> {
        let len = self.u16()?;
        self.take(len.into()).map(Reader)
    }

    pub(crate) fn vector24(&mut self) -> Result<Reader<'a>, Short> {
        let len = self.u24()?;
        self.take(len).map(Reader)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing may follow.
    pub(crate) fn end(self) -> Result<(), Short> {
        if self.is_empty() { Ok(()) } else { Err(Short) }
    }

    /// The rest as a list of two-byte numbers; an odd byte at the end counts for nothing.
    pub(crate) fn numbers(self) -> impl Iterator<Item = u16> + 'a {
        self.0.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }
}

pub(crate) fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// The low three bytes.
pub(crate) fn put_u24(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&(value as u32).to_be_bytes()[1..]);
}

/// A vector with a length of two bytes, of what `fill` appends.
pub(crate) fn put_vector16(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    put_u16(out, 0);
    fill(out);
    let len = (out.len() - at - 2) as u16;
    out[at..at + 2].copy_from_slice(&len.to_be_bytes());
}
