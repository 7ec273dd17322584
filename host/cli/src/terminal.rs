//! Asking at the terminal, without showing the answer.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};

use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};

/// The terminal that this program was started at.
pub struct Terminal(File);

pub enum Answer {
    Text(String),
    /// Ctrl-C.
    Interrupt,
    Failed(String),
}

/// Puts the terminal back as it was.
struct Quiet<'t> {
    terminal: &'t File,
    before: Termios,
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // Nobody could be told.
        let _ = tcsetattr(self.terminal, SetArg::TCSADRAIN, &self.before);
        let _ = writeln!(&mut &*self.terminal);
    }
}

impl Terminal {
    /// `None` when nobody sits there: with neither input nor messages at a terminal, this is some job in the background.
    pub fn open() -> Option<Self> {
        let somebody = io::stdin().is_terminal() || io::stderr().is_terminal();
        let open = || OpenOptions::new().read(true).write(true).open("/dev/tty").ok().map(Self);
        somebody.then(open).flatten()
    }

    /// One line. The terminal is as before when this future ends or is dropped.
    pub async fn ask(&self, question: &str) -> Answer {
        let failed = |error: &dyn std::fmt::Display| Answer::Failed(format!("the terminal cannot be used: {error}"));
        let quiet = match Quiet::new(&self.0) {
            Ok(quiet) => quiet,
            Err(error) => return failed(&error),
        };
        let reader = self.0.try_clone().and_then(|file| (&self.0).write_all(question.as_bytes()).map(|()| file));
        let answer = match reader {
            Ok(reader) => tokio::task::spawn_blocking(move || read(&reader)).await,
            Err(error) => return failed(&error),
        };
        drop(quiet);
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => failed(&error),
            Err(error) => failed(&error),
        }
    }
}

impl<'t> Quiet<'t> {
    /// No echo, and keys one by one, so that Ctrl-C cannot end the program and leave the terminal so.
    fn new(terminal: &'t File) -> nix::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG);
        quiet.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        quiet.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        // What was typed before the question is no answer to it.
        tcsetattr(terminal, SetArg::TCSAFLUSH, &quiet)?;
        Ok(Self { terminal, before })
    }
}

fn read(mut terminal: &File) -> io::Result<Answer> {
    let mut line = Vec::new();
    let mut key = [0];
    loop {
        let ended = terminal.read(&mut key)? == 0;
        match key[0] {
            _ if ended => break,
            b'\n' | b'\r' => break,
            3 => return Ok(Answer::Interrupt),
            4 if line.is_empty() => break,
            4 => {}
            // Backspace takes a whole character.
            8 | 0x7f => while line.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {},
            21 => line.clear(),
            byte => line.push(byte),
        }
    }
    Ok(match String::from_utf8(line) {
        Ok(text) => Answer::Text(text),
        Err(_) => Answer::Failed("what was typed is not UTF-8 text".into()),
    })
}
