//! How what we say travels: records, their numbers and keys, fragments no longer than a datagram may be, and the
//! flight that is sent again when the peer does not answer (RFC 6347 §4.2.3, §4.2.4).

use std::collections::VecDeque;

use crate::Error;
use crate::ciphers::{Ciphers, OVERHEAD};
use crate::message::{self, Message};
use crate::record::{self, Header};

/// Datagrams that wait to be taken: a flight, and some data and alerts.
const WAITING_MAX: usize = 64;

/// A part of a flight.
#[derive(Debug)]
pub(crate) enum Part {
    Message(Message),
    /// The records after it are sealed.
    ChangeCipherSpec,
}

pub(crate) struct Link {
    /// The longest datagram.
    datagram_max: usize,
    /// The next record of each epoch.
    sequences: [u64; 2],
    ciphers: Option<Ciphers>,
    flight: Vec<Part>,
    waiting: VecDeque<Vec<u8>>,
}

impl Link {
    pub(crate) fn new(datagram_max: usize) -> Link {
        // Room for a fragment that is worth a record.
        let datagram_max = datagram_max.max(256);
        Link { datagram_max, sequences: [0; 2], ciphers: None, flight: Vec::new(), waiting: VecDeque::new() }
    }

    pub(crate) fn ciphers(&self) -> Option<&Ciphers> {
        self.ciphers.as_ref()
    }

    pub(crate) fn set_ciphers(&mut self, ciphers: Ciphers) {
        self.ciphers = Some(ciphers);
    }

    /// Sends a flight and remembers it in place of the one before.
    pub(crate) fn send_flight(&mut self, flight: Vec<Part>) -> Result<(), Error> {
        self.flight = flight;
        self.repeat_flight()
    }

    pub(crate) fn repeat_flight(&mut self) -> Result<(), Error> {
        let flight = std::mem::take(&mut self.flight);
        let sent = self.send_parts(&flight);
        self.flight = flight;
        sent
    }

    fn send_parts(&mut self, flight: &[Part]) -> Result<(), Error> {
        let mut datagram = Vec::new();
        let mut epoch = 0;
        for part in flight {
            match part {
                Part::ChangeCipherSpec => {
                    self.append(&mut datagram, epoch, record::CHANGE_CIPHER_SPEC, &[1])?;
                    epoch = 1;
                }
                Part::Message(message) => self.append_message(&mut datagram, epoch, message)?,
            }
        }
        self.release(&mut datagram);
        Ok(())
    }

    /// Appends a message in as many records as it takes.
    fn append_message(&mut self, datagram: &mut Vec<u8>, epoch: u16, message: &Message) -> Result<(), Error> {
        const LITTLE: usize = 64;
        let around = record::HEADER_LEN + message::HEADER_LEN + if epoch == 0 { 0 } else { OVERHEAD };
        let mut offset = 0;
        loop {
            let left = message.body.len() - offset;
            let room = self.datagram_max.saturating_sub(datagram.len() + around);
            if room < left.min(LITTLE) {
                self.release(datagram);
                continue;
            }
            let len = left.min(room);
            let mut body = Vec::with_capacity(message::HEADER_LEN + len);
            message.write(&mut body, offset, len);
            self.append(datagram, epoch, record::HANDSHAKE, &body)?;
            offset += len;
            if offset == message.body.len() {
                return Ok(());
            }
        }
    }

    /// Appends a record to a datagram, or begins another one with it.
    fn append(&mut self, datagram: &mut Vec<u8>, epoch: u16, kind: u8, body: &[u8]) -> Result<(), Error> {
        let sequence = &mut self.sequences[usize::from(epoch)];
        let header = Header { kind, epoch, sequence: *sequence };
        *sequence += 1;
        let sealed = match (epoch, &self.ciphers) {
            (0, _) => None,
            (_, Some(ciphers)) => Some(ciphers.seal(header, body)?),
            (_, None) => return Err(Error::NotConnected),
        };
        let body = sealed.as_deref().unwrap_or(body);
        if datagram.len() + record::HEADER_LEN + body.len() > self.datagram_max {
            self.release(datagram);
        }
        header.write(datagram, body);
        Ok(())
    }

    /// Lets the datagram go, if there is anything in it.
    fn release(&mut self, datagram: &mut Vec<u8>) {
        if !datagram.is_empty() && self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(std::mem::take(datagram));
        }
        datagram.clear();
    }

    /// Sends one record.
    pub(crate) fn send(&mut self, epoch: u16, kind: u8, body: &[u8]) -> Result<(), Error> {
        let mut datagram = Vec::new();
        self.append(&mut datagram, epoch, kind, body)?;
        self.release(&mut datagram);
        Ok(())
    }

    /// The next datagram that is to leave.
    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        self.waiting.pop_front()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }
}
