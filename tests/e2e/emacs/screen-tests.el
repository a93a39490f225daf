;;; screen-tests.el --- The package on a real screen  -*- lexical-binding: t; -*-

;;; Commentary:

;; What only a screen shows: where keys go, and what was scrolled past.

;;; Code:

(require 'support)

(defmacro screen-tests-with-emacs (place terminal &rest body)
  "Run BODY with PLACE and Emacs in TERMINAL, which shows a file of it."
  (declare (indent 2) (debug (symbolp symbolp body)))
  `(let* ((,place (support-make-place))
          (,terminal (screen-tests--start ,place)))
     (unwind-protect (progn ,@body)
       (support-terminal-end ,terminal)
       (support-leave ,place))))

(defun screen-tests--set-up ()
  "What docs/editors/emacs.md tells people to write, with this folder."
  (with-temp-buffer
    (insert-file-contents (expand-file-name "docs/editors/emacs.md" support-root))
    (search-forward "```elisp\n")
    (let* ((text (buffer-substring (point) (1- (search-forward "```"))))
           (set-up (string-trim-right text "`+"))
           (theirs "~/src/countersign/editors/emacs"))
      (should (string-search theirs set-up))
      (string-replace theirs (expand-file-name "editors/emacs" support-root)
                      set-up))))

(defun screen-tests--start (place)
  "A terminal with Emacs on a file of PLACE, connected to its server."
  (let* ((file (support-write place "notes.txt" "first\n"))
         (settings
          (format "%S" `(setq countersign-program ,support-countersign
                              countersign-arguments
                              '("--home" ,(support-place-home place))
                              make-backup-files nil auto-save-default nil)))
         (terminal
          (support-terminal
           (support-place-workspace place)
           support-emacs "-nw" "-Q" "--eval" settings
           "--eval" (format "(progn %s)" (screen-tests--set-up)) file)))
    (support-shows terminal "CS:default")
    (support-until "a server" (lambda () (support-serves-p place)))
    terminal))

(ert-deftest screen-keeps-the-keys-of-whoever-types ()
  (screen-tests-with-emacs place terminal
    (support-types terminal "aaa")
    (let ((hook (support-command place "touch made-by-the-agent")))
      (support-shows terminal "| touch made-by-the-agent")
      ;; These would approve, deny and close, in the window that asks.
      (support-types terminal "adq")
      (support-keys terminal "Enter")
      (support-types terminal "typed")
      (support-shows terminal "typed")
      (support-waits hook)
      (let ((screen (support-shows terminal "CS:default[1]")))
        (dolist (part '("aaaadq" "Countersign asks (1 of 1)"
                        "RET: deny" "a: approve once"))
          (ert-info (screen) (should (string-search part screen)))))
      (support-keys terminal "C-c" "g")
      (support-types terminal " ")
      (support-shows terminal "close, which denies")
      (sleep-for 0.7)
      (support-types terminal "a")
      (support-allows hook)
      (support-hides terminal "Countersign asks"))))

(ert-deftest screen-wants-all-of-it-to-have-been-seen ()
  (screen-tests-with-emacs place terminal
    (let ((hook (support-command
                 place (mapconcat (lambda (n) (format "touch file-%d" n))
                                  (number-sequence 1 60) "\n"))))
      (support-shows terminal "| touch file-1")
      (support-keys terminal "C-c" "g")
      (sleep-for 0.7)
      (support-types terminal "a")
      (support-shows terminal "Read it to its end first")
      (support-waits hook)
      ;; Jumping to the end passes over what is between.
      (support-keys terminal "M->")
      (support-shows terminal "close, which denies")
      (sleep-for 0.7)
      (support-types terminal "a")
      (support-shows terminal "Read it to its end first")
      (support-keys terminal "M-<")
      (support-shows terminal "| touch file-1")
      (dotimes (_ 14)
        (support-types terminal " ")
        (sleep-for 0.05))
      (support-shows terminal "close, which denies")
      (sleep-for 0.7)
      (support-types terminal "a")
      (support-allows hook))))

(ert-deftest screen-is-no-yes-when-it-is-quit ()
  (screen-tests-with-emacs place terminal
    (let ((hook (support-command place "touch made-by-the-agent")))
      (support-shows terminal "| touch made-by-the-agent")
      (support-keys terminal "C-c" "g")
      (support-keys terminal "C-g")
      (support-shows terminal "Quit")
      (support-waits hook)
      (support-keys terminal "Enter")
      (support-blocks hook)
      (support-hides terminal "Countersign asks"))))

;;; screen-tests.el ends here
