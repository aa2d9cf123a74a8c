//! What an operator is told, while the feature `tracing` is on.

#[cfg(feature = "tracing")]
pub(crate) use tracing::{debug, info, warn};

#[cfg(not(feature = "tracing"))]
macro_rules! untold {
    ($($event:tt)*) => {
        ()
    };
}
#[cfg(not(feature = "tracing"))]
pub(crate) use {untold as debug, untold as info, untold as warn};
