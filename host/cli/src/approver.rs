//! Asks at the terminal whether jobs may run, while other jobs go on.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::sync::Arc;

use nix::sys::termios::{FlushArg, tcflush};
use sluice_model::name::is_of_job;
use sluice_model::{ApprovalRequest, Decision, Event, EventKind};
use sluice_plan::Plan;
use sluice_report::approval;
use sluice_run::{Ask, Control};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::output::Output;
use crate::screen::{Holder, Mode, now};
use crate::user;

/// Longer comments are cut, in characters.
const MAX_COMMENT: usize = 1000;

/// Where the run says whom it asks about what; `None` where nobody sits at a terminal.
pub struct Approver(Option<mpsc::UnboundedSender<Heard>>);

enum Heard {
    Asked(ApprovalRequest),
    /// There is nothing to say about this job, or about a cell of it, any more.
    Settled(String),
}

impl Approver {
    /// Answers go to `orders`. `screen` stands still while somebody is asked.
    pub fn new(
        runtime: &Runtime,
        plan: &Plan,
        orders: mpsc::Sender<Control>,
        screen: Holder,
        output: Output,
        mode: Mode,
    ) -> Self {
        let somebody = io::stdin().is_terminal() && io::stderr().is_terminal();
        if !somebody || !plan.jobs.values().any(sluice_plan::Job::asks_somebody) {
            return Self(None);
        }
        let (say, heard) = mpsc::unbounded_channel();
        let prompter = Prompter { heard, open: VecDeque::new(), lines: None, orders, screen, output, mode };
        runtime.spawn(prompter.listen());
        Self(Some(say))
    }

    pub fn ask(&self) -> Ask {
        let say = self.0.clone();
        let user = user::name();
        Arc::new(move |request| match &say {
            Some(say) if request.may_be_answered_by(&user) => say.send(Heard::Asked(request.clone())).is_ok(),
            _ => false,
        })
    }

    pub fn on_event(&self, event: &Event) {
        let Some(say) = &self.0 else { return };
        if let EventKind::ApprovalGiven(Decision { job, .. }) | EventKind::JobFinished { job, .. } = &event.kind {
            // Whoever asks may have gone with the terminal.
            let _ = say.send(Heard::Settled(job.clone()));
        }
    }
}

struct Prompter {
    heard: mpsc::UnboundedReceiver<Heard>,
    /// What was asked and has no answer.
    open: VecDeque<ApprovalRequest>,
    /// What is typed; from the first question on.
    lines: Option<mpsc::UnboundedReceiver<String>>,
    orders: mpsc::Sender<Control>,
    screen: Holder,
    output: Output,
    mode: Mode,
}

/// Why a question has no answer.
enum Unanswered {
    /// Nobody types any more.
    Nobody,
    /// There is no need for an answer any more.
    Settled,
}

impl Prompter {
    async fn listen(mut self) {
        loop {
            let Some(request) = self.open.front().cloned() else {
                match self.heard.recv().await {
                    Some(heard) => self.take(heard),
                    None => return,
                }
                continue;
            };
            self.screen.hold();
            let said = self.question(&request).await;
            self.screen.release();
            let order = match said {
                Ok(decision) => Control::Answer(decision),
                Err(Unanswered::Nobody) => Control::NoAnswer { job: request.job.clone() },
                Err(Unanswered::Settled) => continue,
            };
            self.open.pop_front();
            if self.orders.send(order).await.is_err() {
                return;
            }
        }
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Asked(request) => self.open.push_back(request),
            Heard::Settled(name) => self.open.retain(|request| !is_of_job(&request.job, &name)),
        }
    }

    async fn question(&mut self, request: &ApprovalRequest) -> Result<Decision, Unanswered> {
        if self.mode == Mode::Json {
            // Nobody has seen it yet.
            let look = sluice_report::Look { color: self.output.stderr_color, ..self.output.look() };
            if !request.gates.is_empty() {
                self.output.message(&approval::table(&request.job, &request.gates, look));
            }
            self.output.message(&approval::asked(request, look));
        }
        let mut decision = Decision {
            job: request.job.clone(),
            approved: true,
            by: Some(user::name()),
            actor: user::actor(),
            decided_at: 0,
            comment: None,
            attested: Vec::new(),
        };
        self.forget_what_was_typed();
        for (gate, question) in request.to_attest() {
            if !self.yes_or_no(request, &format!("{gate}: {question}")).await? {
                decision.approved = false;
                break;
            }
            decision.attested.push(gate.to_owned());
        }
        if decision.approved {
            decision.approved = self.yes_or_no(request, &format!("approve {}?", request.job)).await?;
        }
        if !decision.approved {
            decision.attested.clear();
        }
        let comment = self.line(request, "comment (Enter for none): ").await?;
        let comment: String = comment.trim().chars().take(MAX_COMMENT).collect();
        decision.comment = Some(comment).filter(|comment| !comment.is_empty());
        decision.decided_at = now();
        Ok(decision)
    }

    async fn yes_or_no(&mut self, request: &ApprovalRequest, question: &str) -> Result<bool, Unanswered> {
        let clean: String = question.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        loop {
            let answer = self.line(request, &format!("{clean} [y/n] ")).await?;
            match answer.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => {}
            }
        }
    }

    /// One line, unless the request is settled before it is there.
    async fn line(&mut self, request: &ApprovalRequest, question: &str) -> Result<String, Unanswered> {
        self.output.message(question);
        loop {
            let lines = self.lines.get_or_insert_with(read_lines);
            tokio::select! {
                line = lines.recv() => return line.ok_or_else(|| {
                    self.output.message("\n");
                    Unanswered::Nobody
                }),
                heard = self.heard.recv() => match heard {
                    Some(heard) => self.take(heard),
                    // The run is over.
                    None => self.open.clear(),
                },
            }
            if self.open.front().is_none_or(|first| first.job != request.job) {
                self.output.message("\n");
                return Err(Unanswered::Settled);
            }
        }
    }

    /// What was typed before a question is no answer to it.
    fn forget_what_was_typed(&mut self) {
        let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
        if let Some(lines) = &mut self.lines {
            while lines.try_recv().is_ok() {}
        }
    }
}

/// Lines of standard input, until its end. Nobody waits for the thread: it may wait for a key for ever.
fn read_lines() -> mpsc::UnboundedReceiver<String> {
    let (say, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lines() {
            let Ok(line) = line else { return };
            if say.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
