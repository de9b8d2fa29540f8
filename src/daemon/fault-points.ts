// Instants at which a crash would hurt most. The daemon passes them by; the crash harness dies at them.

export type FaultPoint = (
  point:
    | 'before-commit'
    | 'after-commit'
    | 'before-enforce'
    | 'after-enforce'
    | 'after-boot-enforce'
    | 'after-apply'
    | 'after-reload',
) => void;

/** What production runs with. */
export const passBy: FaultPoint = () => {};
