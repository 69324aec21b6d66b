//! The step `Initialize containers`: the container of a job that asks for one, and its services.
//!
//! As on GitHub its failure fails the job and no more: the steps have their turn, and those that run whatever was before
//! (`always()`, `failure()`) do so. In a job whose own container did not start they fail, because there is nowhere to run
//! them. A job of a label has its container from `Set up job`, whose failure ends the job there and then.

use std::sync::atomic::AtomicU32;

use super::JobRun;
use super::place::Place;
use super::service::{Services, ServicesEnd};
use super::specification::Specification;
use super::steps::{OwnStep, chain};
use crate::voice::StepVoice;

/// What there is when the first step has its turn.
#[derive(Default)]
pub(super) struct Initialized {
    /// Services, if the job asks for any; those that were started, if one failed.
    pub(super) services: Option<Services>,
    /// What went wrong.
    pub(super) error: Option<String>,
}

impl JobRun<'_> {
    /// Starts what the job asks for, or starts its services again.
    pub(super) fn initialize(
        &self,
        place: &mut Place,
        specification: &Specification,
        numbers: &AtomicU32,
    ) -> Initialized {
        let starts_container = specification.container.is_some() && self.task.resume.is_none();
        if specification.services.is_empty() && !starts_container {
            return Initialized::default();
        }
        let own = OwnStep::begin(self, numbers, "Initialize containers");
        let initialized = self.start_containers(place, specification, starts_container, &own.voice);
        own.end(initialized.error.clone());
        initialized
    }

    fn start_containers(
        &self,
        place: &mut Place,
        specification: &Specification,
        starts_container: bool,
        voice: &StepVoice,
    ) -> Initialized {
        if starts_container {
            voice.line(&format!("Starting the container of the job from {}", specification.image));
            if let Err(error) = place.start(self, specification, voice) {
                return Initialized { services: None, error: Some(chain(&error)) };
            }
        }
        if specification.services.is_empty() {
            return Initialized::default();
        }
        let (services, error) = match self.task.resume.as_deref() {
            None => self.start_services(place, specification, voice),
            Some(resume) => {
                let is_over = || self.task.control.cancelled().is_some() || self.is_over();
                let revived = Services::revive(place, &resume.kept.record, &is_over);
                match revived.and_then(|mut services| services.forward(place).map(|()| services)) {
                    Ok(services) => (services, None),
                    Err(error) => (Services::default(), Some(error)),
                }
            }
        };
        Initialized { services: Some(services), error }
    }

    /// The step `Stop containers`, which is there if there was something to start, whether it did or not. The container of
    /// the job goes with its place.
    pub(super) fn conclude_containers(
        &self,
        place: &Place,
        services: Option<&mut Services>,
        end: ServicesEnd,
        numbers: &AtomicU32,
    ) {
        if services.is_none() && !place.in_container {
            return;
        }
        let own = OwnStep::begin(self, numbers, "Stop containers");
        if let Some(services) = services {
            Self::stop_services(place, services, end, &own.voice);
        }
        own.end(None);
    }
}
