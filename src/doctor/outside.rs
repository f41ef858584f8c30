//! Whether the ssh server gets its port.

use std::{
    io::{ErrorKind, Read},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use super::Check;
use crate::config::Config;

const ID: &str = "ssh";
const TITLE: &str = "ssh for students";
/// How long whatever has the port may take to say what it is.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether the port of `ssh.listen` is free, or Boatyard's own.
pub fn ssh(config: &Config) -> Check {
    let Some(listen) = config.ssh.listen else {
        return Check::ok(ID, TITLE, "off; `ssh.listen` switches it on");
    };
    let (host, port) = config.ssh.reached_at(&config.base_url(), listen);
    let found = format!("{host} port {port}");
    match TcpListener::bind(listen) {
        Ok(_) => Check::ok(ID, TITLE, found),
        Err(_) if is_boatyard(listen) => Check::ok(ID, TITLE, format!("{found}, served now")),
        Err(e) if e.kind() == ErrorKind::AddrInUse => Check::fail(
            ID,
            TITLE,
            format!("{listen} is another program's"),
            "choose another port with `ssh.listen`, or move that program (the host's own sshd, often)",
        ),
        Err(e) => Check::fail(ID, TITLE, format!("{listen} cannot be listened on: {e}"), "correct `ssh.listen`"),
    }
}

fn is_boatyard(listen: SocketAddr) -> bool {
    let mut at = listen;
    if at.ip().is_unspecified() {
        at.set_ip(if at.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let Ok(mut stream) = TcpStream::connect_timeout(&at, PATIENCE) else { return false };
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let mut greeting = [0; 16];
    stream.read_exact(&mut greeting).is_ok() && greeting == *b"SSH-2.0-Boatyard"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_port_that_is_taken_is_told() {
        let mut config = Config::default();
        assert_eq!(ssh(&config).status, Status::Ok);
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        config.ssh.listen = Some(taken.local_addr().unwrap());
        let check = ssh(&config);
        assert!(check.status == Status::Fail && check.mend.unwrap().contains("ssh.listen"));
        let served = std::thread::spawn(move || {
            // The first is that of the look before.
            for stream in taken.incoming().take(2) {
                let _ = std::io::Write::write_all(&mut stream.unwrap(), b"SSH-2.0-Boatyard\r\n");
            }
            taken
        });
        assert_eq!(ssh(&config).status, Status::Ok);
        drop(served.join().unwrap());
        assert_eq!(ssh(&config).status, Status::Ok);
    }
}
