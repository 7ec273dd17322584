//! The calls that a step is made of.

use sluice_model::Kind;
use sluice_model::event::{Change, ChangeAction};
use sluice_run::StepCall;
use sluice_run::runner::{Action, Said};
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, InstancePre, Lift, Lower, Resource, TypedFunc};

use crate::bindings::{self, types};
use crate::state::{SinkHandle, State, StepHandle};

/// How a call ended that did not succeed.
pub enum Ended {
    /// The plugin returned a failure.
    Failed(types::Failure),
    /// A command returned an error, which counts as 1, or exited with this status, which is not 0.
    Status(i32),
    /// The component trapped, or the host ended it.
    Trapped(wasmtime::Error),
    /// It does not export what was to be called.
    NoExport(String),
}

impl From<wasmtime::Error> for Ended {
    fn from(error: wasmtime::Error) -> Self {
        Self::Trapped(error)
    }
}

type StepAndSink = (Resource<StepHandle>, Resource<SinkHandle>);
type Plain = (Result<(), types::Failure>,);

/// Instantiates the component and does what the action asks.
pub async fn call(store: &mut Store<State>, ready: &InstancePre<State>, call: &StepCall) -> Result<(), Ended> {
    let instance = ready.instantiate_async(&mut *store).await?;
    let mut caller = Caller { store, instance };
    match &call.action {
        Action::Command => caller.command().await,
        Action::Run(Kind::Deploy) => {
            let plan = caller.plan().await?;
            caller.apply(plan).await
        }
        Action::Run(kind) => {
            let function = if *kind == Kind::Task { "run" } else { kind.as_str() };
            let function: TypedFunc<StepAndSink, Plain> = caller.function(&interface(*kind), function)?;
            let (step, sink) = caller.handles()?;
            let (result,) = function.call_async(&mut *caller.store, (step, sink)).await?;
            result.map_err(Ended::Failed)
        }
        Action::DeployPlan => caller.plan().await.map(|_| ()),
        Action::DeployRollback(receipt) => caller.rollback(receipt).await,
    }
}

fn interface(kind: Kind) -> String {
    format!("sluice:plugin/{kind}@1.0.0")
}

struct Caller<'a> {
    store: &'a mut Store<State>,
    instance: Instance,
}

impl Caller<'_> {
    fn function<P, R>(&mut self, interface: &str, name: &str) -> Result<TypedFunc<P, R>, Ended>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let instance = self.instance.get_export_index(&mut *self.store, None, interface);
        let function = instance.and_then(|it| self.instance.get_export_index(&mut *self.store, Some(&it), name));
        let function = function.ok_or_else(|| Ended::NoExport(format!("{interface}#{name}")))?;
        Ok(self.instance.get_typed_func(&mut *self.store, function)?)
    }

    /// Both live in the store as long as it does, and are lent for each call.
    fn handles(&mut self) -> Result<StepAndSink, Ended> {
        let table = &mut self.store.data_mut().table;
        let step = table.push(StepHandle).map_err(wasmtime::Error::from)?;
        let sink = table.push(SinkHandle).map_err(wasmtime::Error::from)?;
        Ok((Resource::new_borrow(step.rep()), Resource::new_borrow(sink.rep())))
    }

    async fn command(&mut self) -> Result<(), Ended> {
        let run: TypedFunc<(), (Result<(), ()>,)> = self.function("wasi:cli/run@0.2.12", "run")?;
        match run.call_async(&mut *self.store, ()).await {
            Ok((Ok(()),)) => Ok(()),
            Ok((Err(()),)) => Err(Ended::Status(1)),
            Err(error) => match error.downcast_ref::<wasmtime_wasi::I32Exit>() {
                Some(wasmtime_wasi::I32Exit(0)) => Ok(()),
                Some(wasmtime_wasi::I32Exit(status)) => Err(Ended::Status(*status)),
                None => Err(error.into()),
            },
        }
    }

    async fn plan(&mut self) -> Result<Vec<u8>, Ended> {
        let function: TypedFunc<StepAndSink, (Result<bindings::Deployment, types::Failure>,)> =
            self.function(&interface(Kind::Deploy), "plan")?;
        let handles = self.handles()?;
        let (result,) = function.call_async(&mut *self.store, handles).await?;
        let deployment = result.map_err(Ended::Failed)?;
        let voice = &self.store.data().voice;
        let size = |change: &bindings::Change| change.subject.len() + change.detail.as_ref().map_or(0, String::len);
        voice.spend(deployment.changes.iter().map(size).sum()).map_err(wasmtime::Error::new)?;
        let changes = deployment.changes.into_iter().map(|change| Change {
            action: match change.action {
                bindings::Action::Create => ChangeAction::Create,
                bindings::Action::Update => ChangeAction::Update,
                bindings::Action::Delete => ChangeAction::Delete,
            },
            subject: voice.clean(&change.subject),
            detail: change.detail.map(|detail| voice.clean(&detail)),
        });
        voice.say(Said::DeployPlanned(changes.collect()));
        Ok(deployment.plan)
    }

    async fn apply(&mut self, plan: Vec<u8>) -> Result<(), Ended> {
        type Params = (Resource<StepHandle>, Resource<SinkHandle>, Vec<u8>);
        let function: TypedFunc<Params, (Result<Vec<u8>, types::Failure>,)> =
            self.function(&interface(Kind::Deploy), "apply")?;
        let (step, sink) = self.handles()?;
        let (result,) = function.call_async(&mut *self.store, (step, sink, plan)).await?;
        let receipt = result.map_err(Ended::Failed)?;
        let voice = &self.store.data().voice;
        voice.spend(receipt.len()).map_err(wasmtime::Error::new)?;
        // A receipt is recorded, so a secret must not be in it, even if the plugin would want it back.
        let receipt = match String::from_utf8(receipt) {
            Ok(text) => voice.mask(&text).into_bytes(),
            Err(bytes) => voice.mask_bytes(bytes.as_bytes()),
        };
        voice.say(Said::DeployApplied(receipt));
        Ok(())
    }

    async fn rollback(&mut self, receipt: &[u8]) -> Result<(), Ended> {
        type Params = (Resource<StepHandle>, Resource<SinkHandle>, Vec<u8>);
        let function: TypedFunc<Params, Plain> = self.function(&interface(Kind::Deploy), "rollback")?;
        let (step, sink) = self.handles()?;
        let (result,) = function.call_async(&mut *self.store, (step, sink, receipt.to_vec())).await?;
        result.map_err(Ended::Failed)
    }
}
