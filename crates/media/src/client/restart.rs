//! ICE restart of the client (RFC 9725 §4.3.3): it goes to another port, as if the network had changed.

use std::net::UdpSocket;
use std::time::Duration;

use str0m::Candidate;
use str0m::change::SdpAnswer;

use super::{Client, Error, engine};
use crate::sdp::fragment::{credentials, with_credentials};

impl Client {
    /// Leaves the present port for another one. Returns the SDP fragment for `PATCH`.
    pub fn restart_ice(&mut self) -> Result<String, Error> {
        let socket = UdpSocket::bind((self.address.ip(), 0))?;
        self.address = socket.local_addr()?;
        self.socket = socket;
        self.patience = Duration::ZERO;
        let mut change = self.rtc.sdp_api();
        let ours = change.ice_restart(false);
        let (_, pending) = change.apply().ok_or_else(|| engine("nothing to restart"))?;
        self.pending = Some(pending);
        Ok(format!(
            "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
            ours.ufrag, ours.pass
        ))
    }

    /// Takes the fragment that the server answered with.
    pub fn restarted(&mut self, fragment: &str) -> Result<(), Error> {
        let theirs = credentials(fragment).map_err(engine)?.ok_or_else(|| engine("no credentials"))?;
        let pending = self.pending.take().ok_or_else(|| engine("not restarted"))?;
        let mut answer = with_credentials(&self.answer, &theirs);
        fragment.lines().filter(|line| line.starts_with("a=candidate:")).for_each(|line| {
            answer.push_str(line);
            answer.push_str("\r\n");
        });
        let parsed = SdpAnswer::from_sdp_string(&answer).map_err(engine)?;
        self.rtc.sdp_api().accept_answer(pending, parsed).map_err(engine)?;
        let here = Candidate::host(self.address, "udp").map_err(engine)?;
        self.rtc.add_local_candidate(here);
        self.advance()
    }
}
