//! Threads of the questions' own: looking up a name blocks a thread for as
//! long as the resolver likes, and must not take one that decides.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// What the threads are called.
const NAME: &str = "classifier";

/// Threads that look up names or read certificates at a time, at most.
const BLOCKING: usize = 4;

/// A runtime that is there from the first question on.
#[derive(Debug, Default)]
pub(super) struct Aside(OnceLock<Option<Runtime>>);

impl Aside {
    /// Begins the future on a thread of this runtime; dropping what is returned
    /// cancels it. Nothing is what comes of one that cannot run.
    pub(super) fn run<F>(
        &self,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let runtime = self.0.get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads(BLOCKING)
                .thread_name(NAME)
                .enable_all()
                .build()
                .inspect_err(|error| tracing::error!("no model can be asked: {error}"))
                .ok()
        });
        // Outside of the future: one that is never polled is cancelled, too.
        let task = runtime
            .as_ref()
            .map(|runtime| Cancelled(runtime.spawn(future.in_current_span())));
        async move {
            let mut task = task?;
            (&mut task.0).await.ok()
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // A name that is still looked up must not hold up the end.
        if let Some(Some(runtime)) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A task that ends with this.
struct Cancelled<T>(JoinHandle<T>);

impl<T> Drop for Cancelled<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn here() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    #[test]
    fn a_question_and_what_blocks_in_it_have_threads_of_their_own() {
        let name = || std::thread::current().name().map(str::to_owned);
        let aside = Aside::default();
        assert!(aside.0.get().is_none(), "nothing before a question");
        let asked = aside.run(async move {
            let looked_up = tokio::task::spawn_blocking(name).await.unwrap();
            [name(), looked_up]
        });
        let names = here().block_on(asked).unwrap();
        assert_eq!(names.map(Option::unwrap), [NAME, NAME]);
    }

    #[test]
    fn many_names_that_are_not_found_take_no_thread_of_the_caller() {
        let aside = Aside::default();
        let (free, wait) = std::sync::mpsc::channel::<()>();
        let wait = std::sync::Arc::new(std::sync::Mutex::new(wait));
        let asked: Vec<_> = (0..2 * BLOCKING)
            .map(|_| {
                let wait = std::sync::Arc::clone(&wait);
                aside.run(async move {
                    tokio::task::spawn_blocking(move || wait.lock().unwrap().recv().is_ok()).await
                })
            })
            .collect();
        let caller = Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let decided = caller.block_on(async { tokio::task::spawn_blocking(|| 7).await.unwrap() });
        assert_eq!(decided, 7);
        drop(free);
        for one in asked {
            assert!(caller.block_on(one).is_some());
        }
    }

    #[test]
    fn who_drops_the_question_ends_it() {
        for is_polled in [true, false] {
            let aside = Aside::default();
            let (held, dropped) = oneshot::channel::<()>();
            let (begun, beginning) = oneshot::channel();
            let asked = aside.run(async move {
                let _held = held;
                let _ = begun.send(());
                std::future::pending::<()>().await;
            });
            here().block_on(async {
                beginning.await.unwrap();
                if is_polled {
                    let mut asked = Box::pin(asked);
                    tokio::select! {
                        biased;
                        _ = &mut asked => panic!("it never ends"),
                        () = std::future::ready(()) => {}
                    }
                } else {
                    drop(asked);
                }
                assert!(dropped.await.is_err(), "the question is gone");
            });
        }
    }

    #[test]
    fn the_end_waits_for_no_name() {
        let (free, wait) = std::sync::mpsc::channel::<()>();
        let (begun, beginning) = std::sync::mpsc::channel();
        let aside = Aside::default();
        let asked = aside.run(async move {
            tokio::task::spawn_blocking(move || {
                begun.send(()).unwrap();
                wait.recv().is_ok()
            })
            .await
        });
        beginning.recv().unwrap();
        drop(aside);
        drop(free);
        drop(asked);
    }
}
