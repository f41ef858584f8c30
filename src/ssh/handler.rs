//! Signing in, and opening channels.

use std::{net::IpAddr, sync::Arc, time::Duration};

use russh::{
    Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet,
    keys::ssh_key::Algorithm,
    server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey},
};
use tracing::{debug, error, info};

use super::{
    Login, Outside, channel,
    connection::{Connection, SignedIn},
    key,
    limits::Stranger,
    secret,
};
use crate::{
    session::{Live, Node, Sessions},
    store::SecretKind,
};

/// What a channel's window is kept at: a client has no more than this under way, so a far one sends so much each round trip.
pub const WINDOW: u32 = 512 << 10;
/// What it is kept at while too much waits. It is never 0: a client that has nothing to send tells nothing either.
const NEXT_TO_NOTHING: u32 = 2;
/// How long each packet is then held up.
const HOLD_UP: Duration = Duration::from_millis(5);

/// One client.
pub struct Client {
    sessions: Sessions,
    outside: Arc<Outside>,
    connection: Arc<Connection>,
    /// None once it has signed in.
    stranger: Option<Stranger>,
    address: IpAddr,
}

/// What opens a session.
enum By<'a> {
    Key(&'a russh::keys::PublicKey),
    Password(&'a str),
}

impl Client {
    /// A client that has just connected.
    pub fn new(
        sessions: Sessions,
        outside: Arc<Outside>,
        connection: Arc<Connection>,
        stranger: Stranger,
        address: IpAddr,
    ) -> Client {
        Client { sessions, outside, connection, stranger: Some(stranger), address }
    }

    /// The node that a user name means.
    fn node(&self, user: &str) -> Option<(Arc<Live>, Arc<Node>)> {
        let login = Login::parse(user)?;
        let live = self.sessions.by_public_name(&login.session)?;
        let node = live.node(login.node.as_str())?;
        Some((live, node))
    }

    /// The number of a key that opens a session.
    fn key(&self, live: &Live, offered: &russh::keys::PublicKey) -> Option<i64> {
        let line = key::line(offered);
        let keys = self.sessions.store().ssh_keys(live.id());
        let keys = keys.inspect_err(|e| error!(error = %e, "ssh keys cannot be read")).ok()?;
        keys.into_iter().find(|k| k.key == line).map(|k| k.id)
    }

    fn sign_in(&mut self, user: &str, by: By<'_>) -> Auth {
        let Some(stranger) = self.stranger.take_if(|s| !s.is_tiresome()) else { return Auth::reject() };
        let found = self.node(user);
        let entered = match (&found, by) {
            (Some((live, _)), By::Key(offered)) => {
                self.key(live, offered).and_then(|id| match self.outside.connect(live.id(), Some(id)) {
                    // It may have been removed while this came about; from here on its removal ends the connection.
                    Some(place) => self.key(live, offered).filter(|again| *again == id).map(|_| Some(place)),
                    None => Some(None),
                })
            }
            (Some((live, _)), By::Password(said)) => match self.outside.connect(live.id(), None) {
                Some(place) => self.takes(live, said).then_some(Some(place)),
                None => self.has(live, said).then_some(None),
            },
            (None, _) => None,
        };
        let (Some((live, node)), Some(place)) = (found, entered) else {
            stranger.failed();
            self.stranger = Some(stranger);
            debug!(address = %self.address, "a sign-in by ssh failed");
            return Auth::Reject { proceed_with_methods: Some(methods()), partial_success: false };
        };
        let Some(place) = place else {
            // Who may come in is told why not now.
            self.connection.enter(None);
            return Auth::Accept;
        };
        info!(session = %live.id(), node = %node.name(), address = %self.address, "signed in by ssh");
        self.connection.enter(Some(SignedIn { live, node, place }));
        Auth::Accept
    }

    fn has(&self, live: &Live, said: &str) -> bool {
        let found = secret::find(self.sessions.store(), live.id(), SecretKind::SshPassword, said);
        found.inspect_err(|e| error!(error = %e, "one-time passwords cannot be read")).is_ok_and(|id| id.is_some())
    }

    fn takes(&self, live: &Live, said: &str) -> bool {
        let taken = secret::take(self.sessions.store(), live.id(), SecretKind::SshPassword, said);
        taken.inspect_err(|e| error!(error = %e, "one-time passwords cannot be read")).unwrap_or(false)
    }
}

/// How one may sign in.
pub fn methods() -> MethodSet {
    MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..])
}

impl Handler for Client {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        let known = !matches!(offer.algorithm, Algorithm::Rsa { hash: None })
            && self.stranger.as_ref().is_some_and(|s| !s.is_tiresome())
            && self.node(user).is_some_and(|(live, _)| self.key(&live, offer.public_key).is_some());
        // A client with many keys offers them all: that is no failure.
        Ok(if known {
            Auth::Accept
        } else {
            Auth::Reject { proceed_with_methods: Some(methods()), partial_success: false }
        })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        if matches!(key.algorithm, Algorithm::Rsa { hash: None }) {
            return Ok(Auth::reject());
        }
        Ok(self.sign_in(user, By::Key(key.public_key)))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.sign_in(user, By::Password(password)))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.connection.channel() {
            Some(place) => {
                reply.accept().await;
                tokio::spawn(channel::login(channel, session.handle(), place));
            }
            None => reply.reject(ChannelOpenFailure::ResourceShortage).await,
        }
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.connection.channel() {
            Some(place) => {
                let to = channel::Destination::tcp(host_to_connect, port_to_connect);
                tokio::spawn(channel::forward(channel, to, reply, place));
            }
            None => reply.reject(ChannelOpenFailure::ResourceShortage).await,
        }
        Ok(())
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        socket_path: &str,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.connection.channel() {
            Some(place) => {
                let to = channel::Destination::unix(socket_path);
                tokio::spawn(channel::forward(channel, to, reply, place));
            }
            None => reply.reject(ChannelOpenFailure::ResourceShortage).await,
        }
        Ok(())
    }

    async fn data(&mut self, _: ChannelId, _: &[u8], _: &mut Session) -> Result<(), russh::Error> {
        self.connection.touch();
        if self.connection.is_full() {
            tokio::time::sleep(HOLD_UP).await;
        }
        Ok(())
    }

    fn adjust_window(&mut self, _: ChannelId, _: u32) -> u32 {
        if self.connection.is_full() { NEXT_TO_NOTHING } else { WINDOW }
    }
}
